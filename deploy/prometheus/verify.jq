# Turns the answer of `flagctl verify --output json` into metrics for node_exporter's textfile collector. A timer runs
#   flagctl verify --output json | jq --raw-output --from-file verify.jq > FOLDER/moderator.prom.new
#   mv FOLDER/moderator.prom.new FOLDER/moderator.prom
def name: gsub(" "; "_") | ascii_downcase;
"# HELP moderator_verify_ok Whether flagctl verify found nothing wrong.",
"# TYPE moderator_verify_ok gauge",
"moderator_verify_ok \(if .ok then 1 else 0 end)",
"# HELP moderator_verify_recall Share of the exact scan's verdicts that matching finds, by search.",
"# TYPE moderator_verify_recall gauge",
(.checks[] | select(.recall != null) | "moderator_verify_recall{search=\"\(.name | name)\"} \(.recall)"),
"# HELP moderator_verify_problems Flags or rows that a check found wrong.",
"# TYPE moderator_verify_problems gauge",
(.checks[] | "moderator_verify_problems{check=\"\(.name | name)\"} \(.count)"),
"# HELP moderator_verify_timestamp_seconds When flagctl verify ran, in seconds since 1970.",
"# TYPE moderator_verify_timestamp_seconds gauge",
"moderator_verify_timestamp_seconds \(now | floor)"
