{% macro statsig_literal(value) %}
  {%- if value is none -%}
    {{- return('cast(null as ' ~ dbt_statsig.statsig_text_type() ~ ')') -}}
  {%- endif -%}
  {{- return(
      'cast(' ~ adapter.dispatch('statsig_quoted', 'dbt_statsig')(value ~ '') ~ ' as '
      ~ dbt_statsig.statsig_text_type() ~ ')'
  ) -}}
{% endmacro %}

{% macro default__statsig_quoted(value) %}
  {{- return("'" ~ value | replace("'", "''") ~ "'") -}}
{% endmacro %}

{% macro bigquery__statsig_quoted(value) %}
  {{- return("'" ~ value | replace('\\', '\\\\') | replace("'", "\\'") | replace('\n', '\\n') ~ "'") -}}
{% endmacro %}

{% macro spark__statsig_quoted(value) %}
  {{- return(dbt_statsig.bigquery__statsig_quoted(value)) -}}
{% endmacro %}

{% macro clickhouse__statsig_quoted(value) %}
  {{- return(dbt_statsig.bigquery__statsig_quoted(value)) -}}
{% endmacro %}

{% macro snowflake__statsig_quoted(value) %}
  {{- return(dbt_statsig.bigquery__statsig_quoted(value)) -}}
{% endmacro %}
