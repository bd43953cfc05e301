{% macro statsig_epoch(column) %}
  {{- return(adapter.dispatch('statsig_epoch', 'dbt_statsig')(column)) -}}
{% endmacro %}

{% macro default__statsig_epoch(column) %}
  {{- return('extract(epoch from ' ~ column ~ ')') -}}
{% endmacro %}

{% macro duckdb__statsig_epoch(column) %}
  {{- return('epoch(' ~ column ~ ')') -}}
{% endmacro %}

{% macro snowflake__statsig_epoch(column) %}
  {{- return('date_part(epoch_second, ' ~ column ~ ')') -}}
{% endmacro %}

{% macro bigquery__statsig_epoch(column) %}
  {{- return('unix_seconds(cast(' ~ column ~ ' as timestamp))') -}}
{% endmacro %}

{% macro spark__statsig_epoch(column) %}
  {{- return('unix_timestamp(cast(' ~ column ~ ' as timestamp))') -}}
{% endmacro %}

{% macro trino__statsig_epoch(column) %}
  {{- return('to_unixtime(cast(' ~ column ~ ' as timestamp with time zone))') -}}
{% endmacro %}

{% macro athena__statsig_epoch(column) %}
  {{- return(dbt_statsig.trino__statsig_epoch(column)) -}}
{% endmacro %}

{% macro fabric__statsig_epoch(column) %}
  {{- return("datediff_big(second, '1970-01-01', " ~ column ~ ')') -}}
{% endmacro %}

{% macro sqlserver__statsig_epoch(column) %}
  {{- return(dbt_statsig.fabric__statsig_epoch(column)) -}}
{% endmacro %}

{% macro clickhouse__statsig_epoch(column) %}
  {{- return('toInt64(toUnixTimestamp(' ~ column ~ '))') -}}
{% endmacro %}
