{% macro statsig_units(node, block, only, test) %}
  {#- The unit IDs of a block: Statsig's name, the column, when it is filled, and its number. -#}
  {%- set units = [] -%}
  {%- for name, column in (block.get('id_type_mapping') or {}).items() if only is none or name == only -%}
    {%- set sql = dbt_statsig.statsig_column(node, column) -%}
    {%- set text = 'cast(' ~ sql ~ ' as ' ~ dbt_statsig.statsig_text_type() ~ ')' -%}
    {%- do units.append({
        'name': name, 'column': column, 'sql': sql, 'text': text, 'number': loop.index0,
        'filled': sql ~ ' is not null and ' ~ text ~ " not in ('', ' ', 'null', 'NULL', 'None', 'none', 'nan', 'NaN',"
        ~ " 'undefined', '(null)', '00000000-0000-0000-0000-000000000000')",
    }) -%}
  {%- endfor -%}
  {%- if not units and only is not none -%}
    {%- do exceptions.raise_compiler_error(
        test ~ ': no unit ID "' ~ only ~ '" in id_type_mapping, which has '
        ~ ((block.get('id_type_mapping') or {}).keys() | join(', ') or 'none') ~ '.'
    ) -%}
  {%- endif -%}
  {{- return(units) -}}
{% endmacro %}
