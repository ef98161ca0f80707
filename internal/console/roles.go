package console

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"moderator/internal/matchdb"
)

// Role is what a user may do. Each role includes those before it.
type Role int

// The roles: a Viewer sees everything, a Reviewer decides on uploads, and a Curator changes the library.
const (
	Viewer Role = iota
	Reviewer
	Curator
)

var roleNames = []string{"viewer", "reviewer", "curator"}

func (r Role) String() string { return roleNames[r] }

// ParseRole reads a role's name.
func ParseRole(name string) (Role, error) {
	for i, known := range roleNames {
		if name == known {
			return Role(i), nil
		}
	}
	return Viewer, fmt.Errorf("the role is %q, wanted %s", name, strings.Join(roleNames, ", "))
}

// needs serves a page to users with the role.
func (c *Console) needs(role Role, handle func(*http.Request) (view, error)) http.HandlerFunc {
	return c.page(func(r *http.Request) (view, error) {
		if has := roleOf(r); has < role {
			return view{}, &problem{http.StatusForbidden, fmt.Sprintf("You are a %s, and this needs a %s: --console-role and --console-roles set who is.", has, role)}
		}
		return handle(r)
	})
}

// may reports whether the user has the role, and the database's role allows changes.
func (c *Console) may(r *http.Request, role Role) (bool, error) {
	if roleOf(r) < role {
		return false, nil
	}
	return c.Library.MayReview(r.Context())
}

// curates serves a form that changes the library, which needs a Curator and a reason. The change returns the path to show next.
func (c *Console) curates(change func(r *http.Request, reason string) (string, error)) http.HandlerFunc {
	return c.needs(Curator, func(r *http.Request) (view, error) {
		reason, err := reasonOf(r, "reason")
		if err != nil {
			return view{}, err
		}
		if may, err := c.Library.MayReview(r.Context()); err != nil || !may {
			return view{}, errors.Join(err, reviewProblem(matchdb.ErrReadOnly))
		}
		next, err := change(r, reason)
		if err != nil {
			return view{}, libraryProblem(err)
		}
		return view{redirect: next}, nil
	})
}

// reasonOf returns the reason for a change of the library.
func reasonOf(r *http.Request, field string) (string, error) {
	reason := strings.TrimSpace(r.PostFormValue(field))
	if reason == "" {
		return "", &problem{http.StatusBadRequest, "Give a reason: the audit log records why the library is changed."}
	}
	return reason, checkNote(reason)
}

// libraryProblem makes errors of a change of the library a problem.
func libraryProblem(err error) error {
	for known, status := range map[error]int{
		matchdb.ErrInvalid: http.StatusBadRequest, matchdb.ErrNotFound: http.StatusNotFound, matchdb.ErrUnknownBank: http.StatusNotFound,
		matchdb.ErrAmbiguous: http.StatusNotFound, matchdb.ErrExists: http.StatusConflict, matchdb.ErrRetracted: http.StatusConflict, matchdb.ErrActive: http.StatusConflict,
	} {
		if errors.Is(err, known) {
			return &problem{status, err.Error() + "."}
		}
	}
	return reviewProblem(err)
}
