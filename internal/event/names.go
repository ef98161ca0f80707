package event

// Streams, subjects and the durable, as the wire contract names them.
const (
	UploadsStream    = "UPLOADS"
	UploadsSubject   = "uploads.>"
	DecisionsStream  = "DECISIONS"
	DecisionsSubject = "decisions.>"
	DurableName      = "moderator"
)

// DecisionSubject is where decisions of a verdict are published.
func DecisionSubject(v Verdict) string { return "decisions." + string(v) }
