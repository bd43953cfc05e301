{% macro statsig_text_type() %}
  {{- return(adapter.dispatch('statsig_text_type', 'dbt_statsig')()) -}}
{% endmacro %}

{% macro default__statsig_text_type() %}
  {{- return(dbt.type_string()) -}}
{% endmacro %}

{% macro clickhouse__statsig_text_type() %}
  {{- return('Nullable(String)') -}}
{% endmacro %}

{% macro fabric__statsig_text_type() %}
  {{- return('varchar(8000)') -}}
{% endmacro %}

{% macro sqlserver__statsig_text_type() %}
  {{- return('varchar(8000)') -}}
{% endmacro %}
