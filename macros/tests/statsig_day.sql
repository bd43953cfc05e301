{% macro statsig_day(day) %}
  {{- return(adapter.dispatch('statsig_day', 'dbt_statsig')(day)) -}}
{% endmacro %}

{% macro default__statsig_day(day) %}
  {{- return("'" ~ day ~ "'") -}}
{% endmacro %}

{% macro trino__statsig_day(day) %}
  {{- return("date '" ~ day ~ "'") -}}
{% endmacro %}

{% macro athena__statsig_day(day) %}
  {{- return(dbt_statsig.trino__statsig_day(day)) -}}
{% endmacro %}

{% macro clickhouse__statsig_day(day) %}
  {{- return("toDate('" ~ day ~ "')") -}}
{% endmacro %}
