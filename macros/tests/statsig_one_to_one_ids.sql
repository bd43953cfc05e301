{% macro statsig_one_to_one_ids(node, block, units, from, tag, options) %}
  {#- Of each pair of unit IDs: those that have several partners. Statsig drops them in a strict 1:1 mapping. -#}
  {%- set rows = [] -%}
  {%- for unit in units -%}
    {%- for other in units if other.number != unit.number -%}
      {%- set sql -%}
from (
    select cast(count(*) as {{ dbt_statsig.statsig_number_type() }}) as statsig_units, sum(case when statsig_1 <> statsig_2 then 1 else 0 end) as statsig_several
    from (
      select {{ unit.sql }} as statsig_one, min({{ other.text }}) as statsig_1, max({{ other.text }}) as statsig_2
      {{ from }}{{ ' and ' if '\nwhere ' in from else '\n      where ' }}({{ unit.filled }}) and ({{ other.filled }})
      group by {{ unit.sql }}
    ) pairs
  ) counted
  where statsig_units >= {{ options.min_units }} and statsig_several >= 0.01 * statsig_units
      {%- endset -%}
      {%- do rows.append(dbt_statsig.statsig_row(
          'one_to_one_ids', block,
          'Units with several IDs of another type (' ~ other.name ~ '): a strict 1:1 mapping drops them.',
          'case when statsig_several > 0.05 * statsig_units then 1 else 0 end', sql,
          {
              'unit_id': dbt_statsig.statsig_literal(unit.name),
              'column_name': dbt_statsig.statsig_literal(unit.column), 'found': 'statsig_several',
              'total': 'statsig_units', 'share': 'statsig_several * 1.0 / nullif(statsig_units, 0)',
              'threshold': 'case when statsig_several > 0.05 * statsig_units then 0.05 else 0.01 end',
          },
      )) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{- return({'ctes': [], 'rows': rows}) -}}
{% endmacro %}
