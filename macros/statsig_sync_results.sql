{% macro statsig_sync_results(results) %}
  {%- if execute and flags.WHICH in ('run', 'build') -%}
    {%- if modules.statsig is defined -%}
      {{- modules.statsig.sync_results(results) -}}
    {%- elif var('statsig_enabled', true) -%}
      {%- do log(
          'Warning: dbt-statsig pushed nothing: this dbt runs no Python inside hooks.'
          ~ ' Run instead: dbt-statsig run -- dbt ' ~ flags.WHICH ~ ' --target ' ~ target.name,
          info=true
      ) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
