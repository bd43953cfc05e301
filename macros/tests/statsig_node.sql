{% macro statsig_node(relation, attached=true) %}
  {#- Of dbt-core the test itself says what it reads; dbt 2 does not, and looks among all nodes. -#}
  {%- set test = context['model'] -%}
  {%- set text = relation ~ '' -%}
  {%- if attached and test.attached_node -%}
    {{- return(graph.nodes.get(test.attached_node)) -}}
  {%- endif -%}
  {%- if test.depends_on and test.depends_on.nodes -%}
    {%- for unique_id in test.depends_on.nodes -%}
      {%- set node = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
      {%- if node and (node.relation_name == text or ('from ' ~ node.relation_name ~ ' where ') in text) -%}
        {{- return(node) -}}
      {%- endif -%}
    {%- endfor -%}
  {%- else -%}
    {%- for nodes in [graph.nodes, graph.sources] -%}
      {%- for node in nodes.values() -%}
        {%- if node.relation_name and node.resource_type != 'test'
            and (node.relation_name == text or ('from ' ~ node.relation_name ~ ' where ') in text) -%}
          {{- return(node) -}}
        {%- endif -%}
      {%- endfor -%}
    {%- endfor -%}
  {%- endif -%}
  {{- return(none) -}}
{% endmacro %}
