package event

// The streams, their subjects and the durable.
const (
	UploadsStream    = "UPLOADS"
	UploadsSubject   = "uploads.>"
	DecisionsStream  = "DECISIONS"
	DecisionsSubject = "decisions.>"
	DurableName      = "moderator"
)

// DecisionSubject returns the subject of decisions with the verdict.
func DecisionSubject(v Verdict) string { return "decisions." + string(v) }
