{% macro statsig_rows(model, test, checks, given={}, options={}) %}
  {#- The query of a test: one row for each thing that is wrong, of all blocks that one of the checks is about. -#}
  {%- if not execute -%}
    {{- return('select 1 as is_error where 1 = 0') -}}
  {%- endif -%}
  {%- do dbt_statsig.statsig_check_options(test, checks, options) -%}
  {%- set node = dbt_statsig.statsig_node(model) -%}
  {%- set blocks = dbt_statsig.statsig_chosen(node, test, checks, given, options) -%}
  {%- set ctes, rows = [], [] -%}
  {%- for block in blocks -%}
    {%- set found = dbt_statsig.statsig_block_rows(model, node, block, 's' ~ loop.index0, test, checks, options) -%}
    {%- do ctes.extend(found.ctes) -%}
    {%- do rows.extend(found.rows) -%}
  {%- endfor -%}
  {%- if not rows -%}
    {%- do rows.append(dbt_statsig.statsig_row('', {}, '', '0', 'from (select 1 as one) nothing where 1 = 0')) -%}
  {%- endif -%}
  {{- return(('with ' ~ ctes | join(',\n') ~ '\n' if ctes else '') ~ rows | join('\nunion all\n')) -}}
{% endmacro %}
