package ask

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"moderator/internal/event"
)

// Subject takes requests. The header Moderator-Publish: false asks for a decision that is not stored in DECISIONS.
const (
	Subject       = "moderator.judge"
	publishHeader = "Moderator-Publish"
)

// Service is the micro service "moderator" with the endpoint "judge".
type Service struct {
	service micro.Service
	asked   sync.WaitGroup
}

// Serve starts the micro service. Errors have HTTP's codes: 400, and 503 with the header Retry-After in seconds.
// Requests are judged side by side, so the service's own processing time is not that of a judgement;
// moderator_judge_request_seconds is.
func (a *Asker) Serve(ctx context.Context, nc *nats.Conn, version string) (*Service, error) {
	s := &Service{}
	handle := func(r micro.Request) {
		leave, err := a.enter()
		if err != nil {
			a.count("nats", "busy")
			respondError(r, http.StatusServiceUnavailable, err)
			return
		}
		s.asked.Go(func() {
			defer leave()
			a.respond(ctx, r, leave)
		})
	}
	var err error
	s.service, err = micro.AddService(nc, micro.Config{
		Name: "moderator", Version: version, Description: "judges uploads against the library of flagged pictures",
		StatsHandler: func(*micro.Endpoint) any { return map[string]int{"in_flight": len(a.slots)} },
	})
	if err != nil {
		return nil, fmt.Errorf("start the service %s: %w", Subject, err)
	}
	if err := s.service.AddEndpoint("judge", micro.HandlerFunc(handle), micro.WithEndpointSubject(Subject)); err != nil {
		return nil, errors.Join(fmt.Errorf("start the service %s: %w", Subject, err), s.service.Stop())
	}
	return s, nil
}

// Stop takes no more requests and waits for those that are being judged.
func (s *Service) Stop() error {
	err := s.service.Stop()
	s.asked.Wait()
	return err
}

func (a *Asker) respond(ctx context.Context, r micro.Request, leave func()) {
	publish, err := publishParameter(r.Headers().Get(publishHeader))
	if err != nil {
		leave()
		respondError(r, http.StatusBadRequest, err)
		return
	}
	d, err := a.answer(ctx, "nats", r.Headers(), r.Data(), publish)
	leave()
	switch {
	case errors.Is(err, event.ErrMalformed):
		respondError(r, http.StatusBadRequest, err)
	case err != nil:
		respondError(r, http.StatusServiceUnavailable, err)
	default:
		_ = r.RespondJSON(d) // the caller may be gone
	}
}

func respondError(r micro.Request, status int, err error) {
	var headers micro.Headers
	if status == http.StatusServiceUnavailable {
		headers = micro.Headers{"Retry-After": {strconv.Itoa(retryAfter)}}
	}
	_ = r.Error(strconv.Itoa(status), err.Error(), nil, micro.WithHeaders(headers))
}
