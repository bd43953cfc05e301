{% macro statsig_plan(select=none, exclude=none, kinds=none, strict=false, prune=false, adopt=none, delete_metrics=false) %}
  {%- if execute -%}
    {%- if modules.statsig is defined -%}
      {%- do modules.statsig.plan(
          select=select, exclude=exclude, only_kinds=kinds, strict=strict, prune=prune, adopt=adopt,
          delete_metrics=delete_metrics
      ) -%}
    {%- elif dbt_statsig.statsig_is_on() -%}
      {%- set options = {
          '--select': select, '--exclude': exclude, '--kind': kinds, '--strict': strict, '--prune': prune,
          '--adopt': adopt, '--delete-metrics': delete_metrics,
      } -%}
      {%- do exceptions.raise_compiler_error(dbt_statsig.statsig_command('plan', options)) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
