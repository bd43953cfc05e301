{% macro statsig_validate(select=none, exclude=none, kinds=none, strict=false) %}
  {%- if execute -%}
    {%- if modules.statsig is defined -%}
      {%- do modules.statsig.validate(select=select, exclude=exclude, only_kinds=kinds, strict=strict) -%}
    {%- elif dbt_statsig.statsig_is_on() -%}
      {%- set options = {'--select': select, '--exclude': exclude, '--kind': kinds, '--strict': strict} -%}
      {%- do exceptions.raise_compiler_error(dbt_statsig.statsig_command('validate', options)) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
