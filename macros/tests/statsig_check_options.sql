{% macro statsig_check_options(test, checks, options) %}
  {#- Fails with what is wrong with a test's arguments. -#}
  {%- set known = dbt_statsig.statsig_check_kinds() -%}
  {%- for check in checks if check not in known -%}
    {%- do exceptions.raise_compiler_error(
        test ~ ': there is no check "' ~ check ~ '". Checks: ' ~ known | join(', ') ~ '.'
    ) -%}
  {%- endfor -%}
  {%- if not checks -%}
    {%- do exceptions.raise_compiler_error(test ~ ': `skip` names every check. Remove the test.') -%}
  {%- endif -%}
  {%- if options.get('assigned_by', 'warehouse') not in ['warehouse', 'statsig'] -%}
    {%- do exceptions.raise_compiler_error(
        test ~ ': assigned_by is "' ~ options.assigned_by ~ '". Write warehouse (you assign the units) or statsig.'
    ) -%}
  {%- endif -%}
  {%- if 'same_unit_space' in checks and options.get('assignments') is none -%}
    {%- do exceptions.raise_compiler_error(
        test ~ ': same_unit_space needs `assignments`, the assignment source, such as ref(\'fct_exposures\').'
    ) -%}
  {%- endif -%}
{% endmacro %}
