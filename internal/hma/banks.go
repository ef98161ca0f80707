package hma

import (
	"errors"
	"net/http"
	"regexp"

	"moderator/internal/matchdb"
)

// actor is who the audit log names.
const actor = "hma"

// bankJSON is a bank as clients read it.
type bankJSON struct {
	Name  string `json:"name"`
	Ratio ratio  `json:"matching_enabled_ratio"`
}

func jsonOf(b matchdb.RatedBank) bankJSON { return bankJSON{b.Name, ratio(b.Ratio)} }

// bankName is what HMA allows. The library's other banks are answered too, by the names that they have.
var bankName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,254}$`)

func checkName(name string) error {
	if !bankName.MatchString(name) {
		return badRequest("the bank's name is %.80q, wanted A-Z 0-9 _ (at most 255), beginning with a letter or _", name)
	}
	return nil
}

func checkRatio(r float64) error {
	if r < 0 || r > 1 {
		return badRequest("enabled_ratio is %v, wanted 0 to 1", r)
	}
	return nil
}

func (s *Server) banks(r *http.Request) (answer, error) {
	banks, err := s.db.RatedBanks(r.Context())
	if err != nil {
		return answer{}, err
	}
	all := []bankJSON{}
	for _, b := range banks {
		all = append(all, jsonOf(b))
	}
	return answer{body: all}, nil
}

// requestedBank is the bank of the path, letter for letter.
func (s *Server) requestedBank(r *http.Request) (matchdb.RatedBank, error) {
	b, err := s.db.RatedBank(r.Context(), r.PathValue("bank"))
	if errors.Is(err, matchdb.ErrUnknownBank) {
		err = refuse(http.StatusNotFound, "bank '%s' not found", r.PathValue("bank"))
	}
	return b, err
}

func (s *Server) bank(r *http.Request) (answer, error) {
	b, err := s.requestedBank(r)
	return answer{body: jsonOf(b)}, err
}

// bankFields are the fields of a bank in a request; nil where the body has none.
type bankFields struct {
	name    *string
	enabled *bool
	ratio   *float64
}

func readBankFields(r *http.Request) (f bankFields, err error) {
	body, err := readObject(r)
	if err != nil {
		return f, err
	}
	if f.name, err = body.text("name"); err != nil {
		return f, err
	}
	if f.enabled, err = body.boolean("enabled"); err != nil {
		return f, err
	}
	f.ratio, err = body.number("enabled_ratio")
	return f, err
}

// addBank ignores enabled, as HMA does: enabled_ratio, 1 unless given, wins.
func (s *Server) addBank(r *http.Request) (answer, error) {
	fields, err := readBankFields(r)
	if err != nil {
		return answer{}, err
	}
	if fields.name == nil {
		return answer{}, missing("name")
	}
	b := matchdb.RatedBank{Name: *fields.name, Ratio: 1}
	if fields.ratio != nil {
		b.Ratio = *fields.ratio
	}
	if err := errors.Join(checkName(b.Name), checkRatio(b.Ratio)); err != nil {
		return answer{}, err
	}
	err = s.db.AddRatedBank(r.Context(), b, actor, "HMA: POST /c/banks")
	return answer{http.StatusCreated, jsonOf(b)}, taken(err)
}

func taken(err error) error {
	if errors.Is(err, matchdb.ErrExists) {
		return refuse(http.StatusForbidden, "Bank already exists")
	}
	return err
}

// changeBank takes the fields that the body has.
func (s *Server) changeBank(r *http.Request) (answer, error) {
	fields, err := readBankFields(r)
	if err != nil {
		return answer{}, err
	}
	b, err := s.requestedBank(r)
	if err != nil {
		return answer{}, err
	}
	was := b.Name
	if name := fields.name; name != nil && *name != was {
		if err := checkName(*name); err != nil {
			return answer{}, err
		}
		b.Name = *name
	}
	switch {
	case fields.ratio != nil:
		b.Ratio = *fields.ratio
	case fields.enabled != nil && *fields.enabled:
		b.Ratio = 1
	case fields.enabled != nil:
		b.Ratio = 0
	}
	if err := checkRatio(b.Ratio); err != nil {
		return answer{}, err
	}
	err = s.db.ChangeBank(r.Context(), was, b, actor, "HMA: PUT /c/bank/"+was)
	if errors.Is(err, matchdb.ErrUnknownBank) { // it was renamed or deleted meanwhile
		err = refuse(http.StatusNotFound, "bank '%s' not found", was)
	}
	return answer{body: jsonOf(b)}, taken(err)
}

// deleteBank retracts the bank's flags; the audit log keeps them.
func (s *Server) deleteBank(r *http.Request) (answer, error) {
	name := r.PathValue("bank")
	_, err := s.db.DeleteBank(r.Context(), name, actor, "HMA: DELETE /c/bank/"+name)
	if errors.Is(err, matchdb.ErrUnknownBank) {
		err = nil
	}
	return answer{body: map[string]string{"message": "Done"}}, err
}
