{% macro statsig_chi_limit(degrees, place) %}
  {#- The chi-square above which p is below 0.01 (place 0) or 0.001 (place 1); from 31 degrees by Wilson and Hilferty. -#}
  {%- set limits = [
      [
          6.6349, 9.2103, 11.3449, 13.2767, 15.0863, 16.8119, 18.4753, 20.0902, 21.666, 23.2093, 24.725, 26.217,
          27.6882, 29.1412, 30.5779, 31.9999, 33.4087, 34.8053, 36.1909, 37.5662, 38.9322, 40.2894, 41.6384, 42.9798,
          44.3141, 45.6417, 46.9629, 48.2782, 49.5879, 50.8922,
      ],
      [
          10.8276, 13.8155, 16.2662, 18.4668, 20.515, 22.4577, 24.3219, 26.1245, 27.8772, 29.5883, 31.2641, 32.9095,
          34.5282, 36.1233, 37.6973, 39.2524, 40.7902, 42.3124, 43.8202, 45.3147, 46.797, 48.2679, 49.7282, 51.1786,
          52.6197, 54.052, 55.476, 56.8923, 58.3012, 59.7031,
      ],
  ] -%}
  {%- set cases = [] -%}
  {%- for limit in limits[place] -%}
    {%- do cases.append('when ' ~ loop.index ~ ' then ' ~ limit) -%}
  {%- endfor -%}
  {%- set variance = '2.0 / nullif(9.0 * (' ~ degrees ~ '), 0)' -%}
  {%- set root = '(1 - ' ~ variance ~ ' + ' ~ [2.3263, 3.0902][place] ~ ' * sqrt(' ~ variance ~ '))' -%}
  {{- return(
      '(case ' ~ degrees ~ ' ' ~ cases | join(' ') ~ ' else (' ~ degrees ~ ') * ' ~ root ~ ' * ' ~ root ~ ' * ' ~ root
      ~ ' end)'
  ) -}}
{% endmacro %}
