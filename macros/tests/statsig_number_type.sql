{% macro statsig_number_type() %}
  {{- return(adapter.dispatch('statsig_number_type', 'dbt_statsig')()) -}}
{% endmacro %}

{% macro default__statsig_number_type() %}
  {{- return(dbt.type_float()) -}}
{% endmacro %}

{% macro postgres__statsig_number_type() %}
  {{- return('double precision') -}}
{% endmacro %}

{% macro duckdb__statsig_number_type() %}
  {{- return('double') -}}
{% endmacro %}

{% macro spark__statsig_number_type() %}
  {{- return('double') -}}
{% endmacro %}

{% macro trino__statsig_number_type() %}
  {{- return('double') -}}
{% endmacro %}

{% macro athena__statsig_number_type() %}
  {{- return('double') -}}
{% endmacro %}

{% macro clickhouse__statsig_number_type() %}
  {{- return('Nullable(Float64)') -}}
{% endmacro %}
