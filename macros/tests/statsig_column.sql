{% macro statsig_column(node, name) %}
  {#- A plain name as it is, so that the warehouse folds it; any other, and one that is a reserved word, in quotes. -#}
  {%- set reserved = [
      'all', 'and', 'as', 'between', 'by', 'case', 'cast', 'cross', 'desc', 'distinct', 'else', 'end', 'false',
      'for', 'from', 'full', 'group', 'having', 'in', 'inner', 'into', 'is', 'join', 'left', 'like', 'limit',
      'not', 'null', 'on', 'or', 'order', 'outer', 'right', 'select', 'set', 'table', 'then', 'to', 'true',
      'union', 'unique', 'user', 'using', 'when', 'where', 'with',
  ] -%}
  {%- set quoted = namespace(it=false) -%}
  {%- for column in ((node.columns or {}).values() if node else []) -%}
    {%- if column.name == name and column.quote -%}{%- set quoted.it = true -%}{%- endif -%}
  {%- endfor -%}
  {%- set plain = modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', name) and name | lower not in reserved -%}
  {{- return(name if plain and not quoted.it else adapter.quote(name)) -}}
{% endmacro %}
