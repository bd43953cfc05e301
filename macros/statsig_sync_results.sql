{% macro statsig_sync_results(results) %}
  {%- if execute and flags.WHICH in ('run', 'build') -%}
    {%- if modules.statsig is defined -%}
      {{- modules.statsig.sync_results(results) -}}
    {%- elif dbt_statsig.statsig_is_on() -%}
      {%- do log(
          'Warning: dbt-statsig: this hook pushes nothing, as this dbt runs no Python in hooks.'
          ~ ' What pushes is: dbt-statsig run '
          ~ ('--reload ' if (var('statsig_reload', false) ~ '') | lower in ['true', '1'] else '')
          ~ '-- dbt ' ~ flags.WHICH ~ ' --target ' ~ target.name,
          info=true
      ) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
