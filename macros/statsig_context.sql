{% macro statsig_context() %}
  {%- if execute -%}
    {%- do print(tojson({
        'dbt_statsig': 1,
        'project': project_name,
        'target': target.name,
        'database': target.database,
        'schema': target.schema,
        'adapter': target.type,
        'invocation_id': invocation_id,
    }, sort_keys=true)) -%}
  {%- endif -%}
{% endmacro %}
