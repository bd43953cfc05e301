{% macro statsig_future(options, seconds=none) %}
  {#- Now, in seconds since 1970 in UTC, and so many seconds later; by default as many as times may lie ahead. -#}
  {%- set epoch = modules.datetime.datetime(1970, 1, 1) -%}
  {%- set now = (modules.datetime.datetime.utcnow() - epoch).total_seconds() | int -%}
  {{- return(now + (options.get('tolerance_minutes', 10) * 60 if seconds is none else seconds)) -}}
{% endmacro %}
