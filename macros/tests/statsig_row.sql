{% macro statsig_row(problem, block, what, is_error, from, columns={}) %}
  {#- A SELECT of rows as every test returns them; `columns` are SQL. -#}
  {%- set text = dbt_statsig.statsig_text_type() -%}
  {%- set number = dbt_statsig.statsig_number_type() -%}
  select
    {{ dbt_statsig.statsig_literal(problem) }} as problem,
    {{ dbt_statsig.statsig_literal(block.get('name') or block.get('kind')) }} as source_name,
    {%- for name in ['experiment', 'group_id', 'unit_id', 'column_name'] %}
    cast({{ columns.get(name, 'null') }} as {{ text }}) as {{ name }},
    {%- endfor %}
    {%- for name in ['found', 'total', 'share', 'threshold', 'chi_square'] %}
    cast({{ columns.get(name, 'null') }} as {{ number }}) as {{ name }},
    {%- endfor %}
    {{ is_error }} as is_error,
    {{ dbt_statsig.statsig_literal(what) }} as what
  {{ from }}
{% endmacro %}
