{% macro statsig_relation(model, node, block, days) %}
  {#- What a block reads in the last days: FROM and WHERE, with Statsig's macros as dates. `days` none: all rows. -#}
  {%- set today = modules.datetime.datetime.utcnow() -%}
  {%- set since = '2000-01-01' if days is none
      else (today - modules.datetime.timedelta(days=days)).strftime('%Y-%m-%d') -%}
  {%- set until = today.strftime('%Y-%m-%d') -%}
  {%- set wanted = [] -%}
  {%- if block.get('where') -%}{%- do wanted.append('(' ~ block.where ~ '\n)') -%}{%- endif -%}
  {%- if days is not none and block.get('partition_column') -%}
    {%- set column = dbt_statsig.statsig_column(node, block.partition_column) -%}
    {%- if block.get('partition_type') == 'integer' -%}
      {%- do wanted.append(column ~ ' >= ' ~ since | replace('-', '')) -%}
    {%- else -%}
      {%- do wanted.append(column ~ ' >= ' ~ dbt_statsig.statsig_day(since)) -%}
    {%- endif -%}
  {%- endif -%}
  {%- if days is not none and block.get('timestamp_column') -%}
    {%- set column = dbt_statsig.statsig_column(node, block.timestamp_column) -%}
    {#- What has no time, or one that is not right, is read too. -#}
    {%- do wanted.append(
        '(' ~ column ~ ' >= ' ~ dbt_statsig.statsig_day(since) ~ ' or ' ~ column ~ ' is null or ' ~ column ~ ' < '
        ~ dbt_statsig.statsig_day('2000-01-01') ~ ')'
    ) -%}
  {%- endif -%}
  {%- set query = (block.get('sql') or '') | trim -%}
  {%- set query = query[:-1] if query.endswith(';') else query -%}
  {%- set read = '(\n' ~ query ~ '\n) statsig_rows' if query else block.get('table_name') or model ~ '' -%}
  {%- set text = namespace(sql='from ' ~ read ~ ('\nwhere ' ~ wanted | join('\nand ') if wanted else '')) -%}
  {%- for macro, value in [
      ('statsig_start_date_int', since | replace('-', '')), ('statsig_end_date_int', until | replace('-', '')),
      ('statsig_start_date', "cast('" ~ since ~ "' as date)"), ('statsig_end_date', "cast('" ~ until ~ "' as date)"),
      ('statsig_experiment_start_timestamp', "cast('" ~ since ~ " 00:00:00' as " ~ dbt.type_timestamp() ~ ')'),
  ] -%}
    {%- set text.sql = text.sql | replace('{' ~ macro ~ '}', value) -%}
  {%- endfor -%}
  {{- return(text.sql) -}}
{% endmacro %}
