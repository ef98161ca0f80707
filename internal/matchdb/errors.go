package matchdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// What the library's errors wrap, beside those of pgx.
var (
	ErrNotFound     = errors.New("not found")
	ErrAmbiguous    = errors.New("ambiguous")
	ErrExists       = errors.New("exists already")
	ErrRetracted    = errors.New("retracted already")
	ErrUnknownBank  = errors.New("unknown bank")
	ErrUnknownModel = errors.New("unknown model")
	ErrSchema       = errors.New("the database is not ready")
	ErrInvalid      = errors.New("invalid")
	ErrBusy         = errors.New("being fetched by another process")

	errServerChanged = errors.New("the database was started again or restored, and is being read")
	errUnnumbered    = errors.New("the trigger number_added is missing or disabled, so that new flags could not be told from old ones: " +
		"a restore is under way, or else run `moderator migrate`")
)

func unknownBank(name string) error {
	return fmt.Errorf("%w %q: `flagctl bank list` shows the banks, `flagctl bank add` makes one", ErrUnknownBank, name)
}

func unknownModel(fingerprint string) error {
	return fmt.Errorf("%w %s: it is not registered in this library: run `moderator migrate` or `flagctl migrate` with it", ErrUnknownModel, short(fingerprint))
}

// short is what people see of a fingerprint.
func short(fingerprint string) string { return fingerprint[:min(12, len(fingerprint))] }

// Retryable reports whether the same call may succeed later without anyone changing anything: the connection failed or
// was cut, the server is starting, stopping, being restored or out of connections, a transaction lost a conflict, or time ran out.
func Retryable(err error) bool {
	if errors.Is(err, errServerChanged) || errors.Is(err, errUnnumbered) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		for _, class := range []string{
			"08", // connection exception
			"40", // serialization failure, deadlock
			"53", // out of connections, memory or disk
		} {
			if strings.HasPrefix(pg.Code, class) {
				return true
			}
		}
		switch pg.Code {
		case "57P01", "57P02", "57P03", // shut down, crashed, starting
			"57014", // cancelled: statement_timeout
			"55P03", // lock_not_available
			"25006": // read-only: connected to a standby since a failover
			return true
		}
		return false
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed)
}

const insufficientPrivilege = "42501"

// ReadOnly reports whether the login may not make the change that failed.
func ReadOnly(err error) bool {
	return errors.Is(err, ErrReadOnly) || pgCode(err) == insufficientPrivilege
}

// pgCode is the error's SQLSTATE, or "".
func pgCode(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// oneLine is the root of a connection error: pgx reports every address that it tried, a line each.
func oneLine(err error) string {
	var pg *pgconn.PgError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &pg):
		return pg.Message
	case errors.As(err, &dns):
		return "no such host"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
