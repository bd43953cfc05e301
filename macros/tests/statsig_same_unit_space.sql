{% macro statsig_same_unit_space(node, block, units, from, tag, options) %}
  {#- How many of the source's units the assignment source knows: hardly any where one side is hashed or prefixed. -#}
  {%- set other = dbt_statsig.statsig_node(options.assignments, attached=false) -%}
  {%- set declared = [] -%}
  {%- for one in (dbt_statsig.statsig_blocks(other).blocks if other else []) if one.kind == 'assignment_source' -%}
    {%- do declared.append(one) -%}
  {%- endfor -%}
  {%- set assigned = declared[0] if declared else {} -%}
  {%- if options.get('assignment_id_type_mapping') -%}
    {%- set assigned = dict(assigned, id_type_mapping=options.assignment_id_type_mapping) -%}
  {%- endif -%}
  {%- if not assigned.get('id_type_mapping') -%}
    {%- do exceptions.raise_compiler_error(
        'same_unit_space: ' ~ options.assignments ~ ' has no assignment_source block with id_type_mapping. Give'
        ~ ' assignment_id_type_mapping, such as {userID: user_id}.'
    ) -%}
  {%- endif -%}
  {%- set known = {} -%}
  {%- for one in dbt_statsig.statsig_units(other, assigned, none, 'same_unit_space') -%}
    {%- do known.update({one.name: one}) -%}
  {%- endfor -%}
  {%- set there = dbt_statsig.statsig_relation(options.assignments, other, assigned, options.get('days')) -%}
  {%- set rows = [] -%}
  {%- for unit in units if unit.name in known -%}
    {%- set one = known[unit.name] -%}
    {%- set sql -%}
from (
    select cast(sum(statsig_here) as {{ dbt_statsig.statsig_number_type() }}) as statsig_units, sum(statsig_here * statsig_there) as statsig_known,
      sum(statsig_there) as statsig_assigned
    from (
      select statsig_one, max(both_sides.statsig_here) as statsig_here, max(both_sides.statsig_there) as statsig_there
      from (
        select {{ unit.text }} as statsig_one, 1 as statsig_here, 0 as statsig_there
        {{ from }}{{ ' and ' if '\nwhere ' in from else '\n        where ' }}({{ unit.filled }})
        group by {{ unit.text }}
        union all
        select {{ one.text }} as statsig_one, 0 as statsig_here, 1 as statsig_there
        {{ there }}{{ ' and ' if '\nwhere ' in there else '\n        where ' }}({{ one.filled }})
        group by {{ one.text }}
      ) both_sides
      group by statsig_one
    ) joined
  ) counted
  where statsig_units >= {{ options.min_units }} and statsig_assigned >= {{ options.min_units }}
    and statsig_known < {{ options.warn_below }} * statsig_units
    {%- endset -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'same_unit_space', block,
        'Hardly any unit is one of the assignment source: do the two write their IDs alike (hashed, with a prefix)?',
        'case when statsig_known < ' ~ options.error_below ~ ' * statsig_units then 1 else 0 end', sql,
        {
            'unit_id': dbt_statsig.statsig_literal(unit.name),
            'column_name': dbt_statsig.statsig_literal(unit.column), 'found': 'statsig_known',
            'total': 'statsig_units', 'share': 'statsig_known * 1.0 / nullif(statsig_units, 0)',
            'threshold': 'case when statsig_known < ' ~ options.error_below ~ ' * statsig_units then '
            ~ options.error_below ~ ' else ' ~ options.warn_below ~ ' end',
        },
    )) -%}
  {%- endfor -%}
  {{- return({'ctes': [], 'rows': rows}) -}}
{% endmacro %}
