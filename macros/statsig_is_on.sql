{% macro statsig_is_on() %}
  {%- set off = ['false', '0'] -%}
  {{- return(
      (var('statsig_enabled', true) ~ '') | lower not in off
      and env_var('DBT_STATSIG_ENABLED', 'true') | lower not in off
  ) -}}
{% endmacro %}
