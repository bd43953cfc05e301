{% macro statsig_block_rows(model, node, block, tag, test, checks, options) %}
  {#- The CTEs and SELECTs of one block. -#}
  {%- set kinds = dbt_statsig.statsig_check_kinds() -%}
  {%- set wanted = [] -%}
  {%- for check in checks if block.kind in kinds[check].kinds -%}
    {%- set lacks = [] -%}
    {%- for key in kinds[check].needs if not block.get(key) -%}{%- do lacks.append(key) -%}{%- endfor -%}
    {%- if not lacks -%}{%- do wanted.append(check) -%}{%- endif -%}
  {%- endfor -%}
  {%- set ctes, rows = [], [] -%}
  {%- set units = dbt_statsig.statsig_units(node, block, options.get('unit_id'), test) -%}
  {%- set from = dbt_statsig.statsig_relation(model, node, block, options.get('days')) -%}
  {%- set by_unit = ['one_group_per_unit', 'sample_ratio', 'no_duplicate_exposures'] -%}
  {%- set grouped = [] -%}
  {%- for check in wanted if check in by_unit -%}{%- do grouped.append(check) -%}{%- endfor -%}
  {%- set sums = dbt_statsig.statsig_sums(node, block, units, wanted, options) -%}
  {%- if grouped -%}
    {%- do ctes.extend(dbt_statsig.statsig_exposures(node, block, units, from, tag)) -%}
    {%- if units | length == 1 and 'empty' in sums -%}
      {#- Known by unit already, where there are fewer texts to compare. -#}
      {%- do sums.update({
          'empty': ', (select coalesce(sum(of_unit.statsig_n), 0) from ' ~ tag
          ~ '_unit_0 of_unit where of_unit.statsig_is_unit = 0) as statsig_empty'
      }) -%}
    {%- endif -%}
  {%- endif -%}
  {#- A scan of its own: sums beside millions of groups cost far more. -#}
  {%- do ctes.append(
      tag ~ '_read as (select cast(count(*) as ' ~ dbt_statsig.statsig_number_type() ~ ') as statsig_n'
      ~ sums.values() | join('') ~ ' ' ~ from ~ ')'
  ) -%}
  {%- set read = 'from ' ~ tag ~ '_read' -%}
  {%- set empty = 'No rows in the last ' ~ options.days ~ ' days: nothing was checked. `days` sets how far back to look.'
      if options.get('days') is not none else 'No rows: nothing was checked.' -%}
  {%- do rows.append(
      dbt_statsig.statsig_row('no_rows', block, empty, '0', read ~ ' where statsig_n = 0', {'found': '0', 'total': '0'})
  ) -%}
  {%- if 'unit_ids_filled' in wanted -%}
    {%- do rows.extend(dbt_statsig.statsig_filled(block, units, read, sums, options)) -%}
  {%- endif -%}
  {%- if 'timestamps_sane' in wanted or 'fresh_enough' in wanted -%}
    {%- do rows.extend(dbt_statsig.statsig_times(node, block, read, sums, wanted, options)) -%}
  {%- endif -%}
  {%- if 'group_names_stable' in wanted -%}
    {%- do rows.append(dbt_statsig.statsig_names(node, block, from)) -%}
  {%- endif -%}
  {%- if grouped -%}
    {%- do rows.extend(dbt_statsig.statsig_groups(block, tag, grouped, options)) -%}
    {%- if 'sample_ratio' in grouped -%}
      {%- set ratio = dbt_statsig.statsig_ratio(block, tag, options) -%}
      {%- do ctes.extend(ratio.ctes) -%}
      {%- do rows.extend(ratio.rows) -%}
    {%- endif -%}
  {%- endif -%}
  {%- for check in ['one_row_per_unit', 'one_to_one_ids', 'same_unit_space'] if check in wanted -%}
    {%- set found = dbt_statsig['statsig_' ~ check](node, block, units, from, tag, options) -%}
    {%- do ctes.extend(found.ctes) -%}
    {%- do rows.extend(found.rows) -%}
  {%- endfor -%}
  {{- return({'ctes': ctes, 'rows': rows}) -}}
{% endmacro %}
