package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// judgeAgain is the decision that publishes the upload anew.
const judgeAgain = "again"

// againSubject is that of uploads that did not come by the stream of uploads.
const againSubject = "uploads.again"

// CanJudgeAgain reports whether the upload could not be judged, and its picture may be had by now.
func (d *decision) CanJudgeAgain() bool {
	return d.Source != "" && d.Event.Data.WaitsFor().CouldNotJudge()
}

// publishAgain publishes the upload's reference to the stream of uploads. Its message id makes the stream store one.
func (c *Console) publishAgain(ctx context.Context, d *decision) error {
	u := d.Event.Data.Upload
	body, err := u.Reference()
	if err != nil {
		return err
	}
	msg := nats.NewMsg(againSubject)
	if strings.HasPrefix(u.Subject, strings.TrimSuffix(event.UploadsSubject, ">")) {
		msg.Subject = u.Subject
	}
	msg.Header.Set("Content-Type", "application/json")
	msg.Header.Set(jetstream.MsgIDHeader, d.Event.ID+":again")
	msg.Data = body
	if _, err := c.JetStream.PublishMsg(ctx, msg, jetstream.WithExpectStream(event.UploadsStream)); err != nil {
		return &problem{http.StatusServiceUnavailable, fmt.Sprintf("The upload was not published: %v. Try again.", err)}
	}
	return nil
}
