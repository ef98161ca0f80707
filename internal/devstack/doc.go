// Package devstack starts the two servers that a moderator without --nats-url and --database-url brings along: a
// JetStream server inside the own process and a private PostgreSQL cluster as a child process.
//
// A cluster lives in one directory and belongs to one process at a time:
//
//	<DataDir>/lock          flock held by the owning process; the kernel drops it however the owner ends
//	<DataDir>/data          what initdb made, mode 0700
//	<DataDir>/run           the unix socket, mode 0700; below the temporary folder when the path would be too long
//	<DataDir>/postgres.log  what the server wrote since its last start; postgres.log.old is the start before
//
// The server ends with its owner:
//
//	owner does              server does
//	Stop(ctx)               fast shutdown; immediate shutdown when ctx ends first; SIGKILL five seconds later
//	is killed (-9) on Linux the kernel sends SIGINT to the server, which is the fast shutdown
//	is killed elsewhere     the server stays; the next StartPostgres of that directory stops it first
//	gets Ctrl-C             nothing: the server has a process group of its own and waits for Stop
//
// PostgreSQL refuses to run as root. A root owner runs it as the user postgres (else nobody) and gives it the three
// paths that it writes. Everyone who can enter the socket's folder may connect as anyone: that is the server's own user
// and root, nobody else, and there is no TCP port.
package devstack
