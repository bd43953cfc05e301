{% macro statsig_sums(node, block, units, wanted, options) %}
  {#- What is counted of all rows, by name, each with the comma before it. -#}
  {%- set sums = {} -%}
  {%- if 'unit_ids_filled' in wanted -%}
    {%- set filled = units | map(attribute='filled') | join(') or (') -%}
    {%- do sums.update({'empty': ', sum(case when (' ~ filled ~ ') then 0 else 1 end) as statsig_empty'}) -%}
    {%- for key in ['experiment_id_column', 'group_id_column'] if block.kind == 'assignment_source' and block.get(key) -%}
      {%- set sql = dbt_statsig.statsig_column(node, block[key]) -%}
      {%- set empty = sql ~ ' is null or cast(' ~ sql ~ ' as ' ~ dbt_statsig.statsig_text_type() ~ ") = ''" -%}
      {%- do sums.update({key: ', sum(case when ' ~ empty ~ ' then 1 else 0 end) as statsig_' ~ key}) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- if 'timestamps_sane' in wanted or 'fresh_enough' in wanted -%}
    {%- set time = dbt_statsig.statsig_column(node, block.timestamp_column) -%}
    {%- set epoch = dbt_statsig.statsig_epoch(time) -%}
    {%- do sums.update({'newest': ', max(' ~ epoch ~ ') as statsig_newest'}) -%}
    {%- if 'timestamps_sane' in wanted -%}
      {%- do sums.update({
          'future': ', sum(case when ' ~ epoch ~ ' > ' ~ dbt_statsig.statsig_future(options)
          ~ ' then 1 else 0 end) as statsig_future',
          'old': ', sum(case when ' ~ epoch ~ ' < 946684800 then 1 else 0 end) as statsig_old',
          'no_time': ', sum(case when ' ~ time ~ ' is null then 1 else 0 end) as statsig_no_time',
          'timed': ', sum(case when ' ~ epoch ~ ' <> 86400 * floor(' ~ epoch ~ ' / 86400.0) then 1 else 0 end)'
          ~ ' as statsig_timed',
      }) -%}
      {%- set zone = dbt_statsig.statsig_zone(node, block) -%}
      {%- if zone -%}
        {%- do sums.update({'zones': ', max(' ~ zone ~ ') - min(' ~ zone ~ ') as statsig_zones'}) -%}
      {%- endif -%}
    {%- endif -%}
  {%- endif -%}
  {{- return(sums) -}}
{% endmacro %}
