{% macro statsig_blocks(node) %}
  {#- The enabled blocks of a node, each with its kind, its defaults and its column marks; the nearest value wins. -#}
  {%- set kinds = ['assignment_source', 'qualifying_event', 'entity_property_source', 'metric_source'] -%}
  {%- set meta = (node.config.meta if node.config.meta else node.meta) or {} -%}
  {%- set declared = meta.get('statsig') or (node.meta or {}).get('statsig') or {} -%}
  {%- set defaults = meta.get('statsig_defaults') or (node.meta or {}).get('statsig_defaults') or {} -%}
  {%- set units, roles = {}, {} -%}
  {%- for column in (node.columns or {}).values() -%}
    {%- set own = column.config.meta if column.config and column.config.meta else column.meta -%}
    {%- set mark = (own or {}).get('statsig') or {} -%}
    {#- dbt 2 and 1.9 let a column without a meta inherit the model's. -#}
    {%- if mark is mapping and mark != declared -%}
      {%- set unit = mark.get('unit_id') or [] -%}
      {%- for one in ([unit] if unit is string else unit) -%}
        {%- do units.update({one: column.name}) -%}
      {%- endfor -%}
      {%- set role = mark.get('role') or [] -%}
      {%- for one in ([role] if role is string else role) -%}
        {%- do roles.update({one ~ '_column': column.name}) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set blocks = [] -%}
  {%- for kind in kinds -%}
    {%- set given = declared.get(kind, []) if declared is mapping else [] -%}
    {%- for one in ([given] if given is string or given is mapping else given) -%}
      {%- set block = {'timestamp_column': node.config.event_time} if node.config.event_time else {} -%}
      {%- do block.update(defaults) -%}
      {%- do block.update(defaults.get(kind) or {}) -%}
      {%- do block.update(roles) -%}
      {%- do block.update({'name': one} if one is string else one) -%}
      {%- set mapping = {} -%}
      {%- do mapping.update(units) -%}
      {%- do mapping.update((one.get('id_type_mapping') if one is mapping else none) or {}) -%}
      {%- if mapping -%}{%- do block.update({'id_type_mapping': mapping}) -%}{%- endif -%}
      {%- do block.update({'kind': kind}) -%}
      {%- if (block.get('enabled', true) ~ '') | lower not in ['false', '0', 'no', 'off'] -%}
        {%- do blocks.append(block) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endfor -%}
  {{- return({'blocks': blocks, 'declared': declared}) -}}
{% endmacro %}
