{{- define "moderator.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "moderator.labels" -}}
app.kubernetes.io/name: moderator
{{- end }}

{{- define "moderator.judge" -}}
app.kubernetes.io/name: moderator
app.kubernetes.io/component: judge
{{- end }}

{{- define "moderator.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}
