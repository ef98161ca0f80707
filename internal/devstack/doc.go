// Package devstack starts the servers of a moderator without --nats-url and --database-url: a JetStream server inside the
// process, and a private PostgreSQL cluster as a child process.
//
// A cluster lives in one directory and belongs to one process at a time:
//
//	<DataDir>/lock          held by the owner with flock; the kernel releases it however the owner ends
//	<DataDir>/data          the cluster that initdb made, mode 0700
//	<DataDir>/run           the Unix socket, mode 0700; in the temporary folder if the path would be too long
//	<DataDir>/postgres.log  the server's log since its last start; postgres.log.old is of the start before
//
// The server ends with its owner:
//
//	the owner               the server
//	calls Stop(ctx)         fast shutdown; immediate shutdown if ctx ends first; SIGKILL five seconds later
//	is killed, on Linux     fast shutdown: the kernel sends it SIGINT
//	is killed, elsewhere    runs on; the next StartPostgres on the directory stops it first
//	gets Ctrl-C             runs on until Stop: it has a process group of its own
//
// PostgreSQL refuses to run as root. An owner that is root runs it as the user postgres, or else nobody, and gives that user
// the three paths that the server writes. There is no TCP port. Whoever can enter the socket's folder may connect as any
// role: only the server's user and root can.
package devstack
