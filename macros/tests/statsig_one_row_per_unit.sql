{% macro statsig_one_row_per_unit(node, block, units, from, tag, options) %}
  {#- Fixed properties: several rows of a unit contradict each other. One unit ID that has one row each is enough. -#}
  {%- set rows, ctes, each = [], [], [] -%}
  {%- if not block.get('timestamp_column') -%}
    {%- for unit in units -%}
      {%- set one -%}
  select {{ unit.number }} as statsig_unit, cast(count(*) as {{ dbt_statsig.statsig_number_type() }}) as statsig_units,
    sum(case when statsig_rows > 1 then 1 else 0 end) as statsig_several
  from (
    select {{ unit.sql }} as statsig_one, count(*) as statsig_rows
    {{ from }}{{ ' and ' if '\nwhere ' in from else '\n    where ' }}({{ unit.filled }})
    group by {{ unit.sql }}
  ) per_unit
      {%- endset -%}
      {%- do each.append(one) -%}
    {%- endfor -%}
    {%- do ctes.append(
        tag ~ '_several as (select * from (select counted.*, row_number() over (order by statsig_several,'
        ~ ' statsig_units desc) as statsig_rank from (\n' ~ each | join('\n  union all\n') ~ '\n) counted'
        ~ ' where statsig_units > 0) ranked where statsig_rank = 1)'
    ) -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'one_row_per_unit', block,
        'Units with several rows, though the source has no timestamp: which of their properties count is not defined.',
        '1', 'from ' ~ tag ~ '_several where statsig_several > 0',
        {
            'unit_id': dbt_statsig.statsig_unit_name(block, options), 'found': 'statsig_several',
            'total': 'statsig_units', 'share': 'statsig_several * 1.0 / nullif(statsig_units, 0)', 'threshold': '0',
        },
    )) -%}
  {%- endif -%}
  {{- return({'ctes': ctes, 'rows': rows}) -}}
{% endmacro %}
