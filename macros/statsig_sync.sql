{% macro statsig_sync(
    select=none, exclude=none, kinds=none, dry_run=false, strict=false, prune=false, adopt=none, delete_metrics=false
) %}
  {%- if execute -%}
    {%- if modules.statsig is defined -%}
      {%- do modules.statsig.sync(
          select=select, exclude=exclude, only_kinds=kinds, dry_run=dry_run, strict=strict, prune=prune, adopt=adopt,
          delete_metrics=delete_metrics
      ) -%}
    {%- elif dbt_statsig.statsig_is_on() -%}
      {%- set options = {
          '--select': select, '--exclude': exclude, '--kind': kinds, '--dry-run': dry_run, '--strict': strict,
          '--prune': prune, '--adopt': adopt, '--delete-metrics': delete_metrics,
      } -%}
      {%- do exceptions.raise_compiler_error(dbt_statsig.statsig_command('sync', options)) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
