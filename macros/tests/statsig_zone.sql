{% macro statsig_zone(node, block) %}
  {#- The offset from UTC in minutes that each time has, where the type of the column keeps one; else nothing. -#}
  {%- set zoned = adapter.dispatch('statsig_zoned', 'dbt_statsig')() -%}
  {%- if not zoned or not node or block.get('sql') or block.get('table_name') -%}
    {{- return('') -}}
  {%- endif -%}
  {%- set relation = api.Relation.create(
      database=node.database, schema=node.schema, identifier=node.identifier or node.alias or node.name
  ) -%}
  {%- for column in adapter.get_columns_in_relation(relation)
      if column.name | lower == block.timestamp_column | lower
      and modules.re.match(zoned.type, column.data_type | lower) -%}
    {{- return(zoned.offset | replace('{}', dbt_statsig.statsig_column(node, block.timestamp_column))) -}}
  {%- endfor -%}
  {{- return('') -}}
{% endmacro %}

{% macro default__statsig_zoned() %}
  {{- return({}) -}}
{% endmacro %}

{% macro snowflake__statsig_zoned() %}
  {{- return({
      'type': 'timestamp_?tz',
      'offset': 'extract(timezone_hour from {}) * 60 + extract(timezone_minute from {})',
  }) -}}
{% endmacro %}

{% macro trino__statsig_zoned() %}
  {{- return({'type': '.*with time zone', 'offset': 'timezone_hour({}) * 60 + timezone_minute({})'}) -}}
{% endmacro %}

{% macro sqlserver__statsig_zoned() %}
  {{- return({'type': 'datetimeoffset', 'offset': 'datepart(tz, {})'}) -}}
{% endmacro %}
