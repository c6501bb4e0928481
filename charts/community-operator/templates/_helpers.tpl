{{- define "community-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "community-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- else if contains (include "community-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 48 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "community-operator.name" .) | trunc 48 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The name is fixed: the communities' NetworkPolicies let pods with it reach their control port. */}}
{{- define "community-operator.selectorLabels" -}}
app.kubernetes.io/name: community-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "community-operator.labels" -}}
{{ include "community-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "community-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "community-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "community-operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "community-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "community-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/*
The operator's rules, from the role that "make generate" writes. scope "all" gives every rule, "cluster" what must be
granted for the whole cluster (kinds without a namespace, and Gateways, which live in namespaces of their own),
"namespace" the rest.
*/}}
{{- define "community-operator.rules" -}}
{{- $scope := .scope }}
{{- $clusterWide := list "communityclasses" "communityclasses/status" "communityclasses/finalizers" "gateways" }}
{{- $rules := list }}
{{- range (.root.Files.Get "files/role.yaml" | fromYaml).rules }}
{{- $resources := list }}
{{- range .resources }}
{{- if or (eq $scope "all") (eq (has . $clusterWide) (eq $scope "cluster")) }}
{{- $resources = append $resources . }}
{{- end }}
{{- end }}
{{- if $resources }}
{{- $rules = append $rules (dict "apiGroups" .apiGroups "resources" $resources "verbs" .verbs) }}
{{- end }}
{{- end }}
{{- toYaml $rules }}
{{- end }}

{{/* Empty while the cluster does not know CommunityClasses yet: Helm would refuse the whole release. */}}
{{- define "community-operator.classesServed" -}}
{{- if .Capabilities.APIVersions.Has "cocreation.quaeso.io/v1alpha1/CommunityClass" }}yes{{ end }}
{{- end }}
