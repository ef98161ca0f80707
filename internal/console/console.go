package console

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/fetch"
	"moderator/internal/matchdb"
)

// Config configures access to the console and bounds the size of pictures.
type Config struct {
	Token          string         // gives access; empty: only users of a proxy have access
	UserHeader     string         // header in which a trusted proxy names the user; empty: no proxy does
	Proxies        []netip.Prefix // networks whose UserHeader and X-Forwarded-Proto are trusted
	DefaultUser    string         // user for the audit log if a program sends the token
	OIDC           OIDC
	Role           Role            // of users whom Roles does not name, and of all who have the token
	Roles          map[string]Role // of users whom a proxy or OIDC names
	MaxUploadBytes int64
	ReviewBreak    time.Duration // after which reviewers are reminded to pause; 0: never
}

// Parts are the console's dependencies. The caller owns them and closes them after the console.
type Parts struct {
	JetStream jetstream.JetStream
	Library   *matchdb.DB
	Fetcher   *fetch.Fetcher
	Pictures  *Pictures
	Previews  *Previews // nil: pictures that came inside their messages cannot be shown
	Model     string    // fingerprint of the first model in use
	Logger    *slog.Logger
}

// Console serves the pages. The caller closes it.
type Console struct {
	Config
	Parts
	pages pages
	live  hub

	provider provider
	backlog  backlog
}

// New returns a Console.
func New(config Config, parts Parts) (*Console, error) {
	c := &Console{Config: config, Parts: parts}
	c.live = hub{js: parts.JetStream, log: parts.Logger, closed: make(chan struct{})}
	var err error
	c.pages, err = loadPages()
	return c, err
}

// Close ends the streams of live decisions, for which a server's shutdown would wait.
func (c *Console) Close() { c.live.close() }

// Handler serves the console at the root of a host.
func (c *Console) Handler() http.Handler {
	inside := http.NewServeMux()
	inside.Handle("GET /{$}", http.RedirectHandler("/live", http.StatusSeeOther))
	inside.HandleFunc("GET /live", c.page(c.livePage))
	inside.HandleFunc("GET /live/events", c.liveEvents)
	inside.HandleFunc("GET /decisions/{sequence}", c.page(c.decisionPage))
	inside.HandleFunc("GET /decisions/{sequence}/picture", c.picture(c.uploadPicture))
	inside.HandleFunc("GET /decisions/{sequence}/outline", c.outline)
	inside.HandleFunc("GET /flags/{id}/picture", c.picture(c.flagPicture))
	inside.HandleFunc("GET /review", c.page(c.reviewPage))
	inside.HandleFunc("GET /review/state", c.queueState)
	inside.HandleFunc("POST /review", c.needs(Reviewer, c.decideMany))
	inside.HandleFunc("POST /review/{sequence}", c.needs(Reviewer, c.decide))
	inside.HandleFunc("POST /review/{sequence}/take-back", c.needs(Reviewer, c.takeBack))
	inside.HandleFunc("POST /decisions/{sequence}/flag", c.curates(c.flagDecision))
	inside.HandleFunc("POST /decisions/{sequence}/allow", c.curates(c.allowDecision))
	inside.HandleFunc("GET /compare", c.page(c.comparePage))
	inside.HandleFunc("POST /compare", c.page(c.compare))
	inside.HandleFunc("GET /search", c.page(c.searchPage))
	inside.HandleFunc("POST /search", c.page(c.search))
	inside.HandleFunc("GET /library", c.page(c.libraryPage))
	inside.HandleFunc("POST /banks", c.curates(c.addBank))
	inside.HandleFunc("GET /banks/{name}", c.page(c.bankPage))
	inside.HandleFunc("POST /banks/{name}", c.curates(c.changeBank))
	inside.HandleFunc("GET /flags/{id}", c.page(c.flagPage))
	inside.HandleFunc("POST /flags/{id}/retract", c.curates(c.retract))
	inside.HandleFunc("POST /flags/{id}/restore", c.curates(c.restore))
	inside.HandleFunc("POST /flags/{id}/release", c.curates(c.release))
	inside.HandleFunc("GET /exchanges", c.page(c.exchangesPage))
	inside.HandleFunc("/", c.page(func(*http.Request) (view, error) {
		return view{}, &problem{http.StatusNotFound, "There is no such page."}
	}))

	outside := http.NewServeMux()
	outside.Handle("GET /assets/", http.FileServerFS(assets))
	outside.HandleFunc("POST /login", c.login)
	outside.HandleFunc("POST /logout", c.logout)
	if c.OIDC.Issuer != "" {
		outside.HandleFunc("GET /oidc/start", c.beginSignIn)
		outside.HandleFunc("GET "+callbackPath, c.endSignIn)
	}
	outside.Handle("/", c.admit(inside))
	// This refuses requests of other sites' pages, whatever cookies they have.
	return secured(http.NewCrossOriginProtection().Handler(outside))
}
