{% macro statsig_sync_model() %}
  {%- if execute and modules.statsig is defined -%}
    {{- modules.statsig.sync_model() -}}
  {%- endif -%}
{% endmacro %}
