package console

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
)

//go:embed assets
var assets embed.FS

//go:embed templates
var templates embed.FS

// view is the input of a template.
type view struct {
	Page    string // the template's name, and the current entry of the navigation
	Title   string
	User    string
	Role    Role
	SignOut bool   // show the button that ends the session
	Problem string // an error, for the user
	Data    any

	redirect string // path to show instead
}

// problem is an error that the user can do something about.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

type pages map[string]*template.Template

func loadPages() (pages, error) {
	layout, err := template.New("").Funcs(functions).ParseFS(templates, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, name := range []string{"live", "decision", "review", "compare", "search", "library", "bank", "flag", "exchanges", "login", "problem"} {
		page, err := template.Must(layout.Clone()).ParseFS(templates, "templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		all[name] = page
	}
	return all, nil
}

// page serves the view of a handler. If there is an error, the view is shown with it.
func (c *Console) page(handle func(*http.Request) (view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := handle(r)
		status := http.StatusOK
		if err != nil {
			var known *problem
			if status = http.StatusInternalServerError; errors.As(err, &known) {
				status = known.status
			} else {
				c.Logger.Error("console", "path", r.URL.Path, "error", err)
			}
			if v.Problem = err.Error(); v.Page == "" {
				v.Page, v.Title = "problem", "This did not work"
			}
		}
		if v.redirect != "" {
			http.Redirect(w, r, v.redirect, http.StatusSeeOther)
			return
		}
		who := personOf(r)
		v.User, v.Role, v.SignOut = who.name, who.role, who.signOut
		c.pages.write(w, c.Logger, status, v)
	}
}

func (p pages) write(w http.ResponseWriter, log *slog.Logger, status int, v view) {
	var text bytes.Buffer // so that a failed template sends no partial page
	if err := p[v.Page].ExecuteTemplate(&text, "layout.html", v); err != nil {
		log.Error("console", "page", v.Page, "error", err)
		http.Error(w, "the page could not be rendered: the log has the reason", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes())
}

var functions = template.FuncMap{
	"score": func(v any) string {
		switch v := v.(type) {
		case float64:
			return number(v)
		case *float64:
			if v != nil {
				return number(*v)
			}
		}
		return "–"
	},
	"seconds": func(d *time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) },
	"minutes": func(d time.Duration) string { return fmt.Sprintf("%.0f minutes", d.Minutes()) },
	"ms":      func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) },
	"moment":  moment,
	"bytes":   byteSize,
	"count":   thousands,
	"limits":  func() limits { return limits{pdq.MaxDistance, keypoint.BlockAt, keypoint.ReviewAt} },
	"short":   func(text string) string { return text[:min(len(text), 12)] },
	"word":    func(v any) string { return strings.ReplaceAll(fmt.Sprint(v), "_", " ") },
	"add":     func(a, b int) int { return a + b },
	"options": func(now any, of []choice) options { return options{fmt.Sprint(now), of} },
	"orders":  func() []order { return orders },
	"share": func(part, whole float64) float64 {
		if whole <= 0 {
			return 0
		}
		return max(0, min(100, 100*part/whole))
	},
}

// options are those of a select element.
type options struct {
	Now string
	Of  []choice
}

type order struct{ Value, Name string }

var orders = []order{{"", "oldest first"}, {"newest", "newest first"}, {"score", "highest score first"}}

// limits are the thresholds of signals that are the same for all banks.
type limits struct {
	PDQ                           int // highest distance in bits
	PointsBlockAt, PointsReviewAt float64
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

// moment formats a time in UTC, as logs and events do.
func moment(v any) string {
	switch t := v.(type) {
	case time.Time:
		return t.UTC().Format("2006-01-02 15:04:05")
	case *time.Time:
		if t != nil {
			return moment(*t)
		}
	}
	return "–"
}

func byteSize(v any) string {
	var n int64
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	}
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size {
			return strconv.FormatFloat(float64(n)/float64(unit.size), 'f', 1, 64) + " " + unit.name
		}
	}
	return fmt.Sprintf("%d B", n)
}

// thousands groups the digits of a count: 1 234 567, with thin spaces.
func thousands(v any) string {
	text := fmt.Sprint(v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}
