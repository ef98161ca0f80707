// Package app wires the program moderator: it starts or connects the servers, opens the model, and passes decode workers,
// model and library to the consumer. Serve starts everything in the order of its lines; all stops in the opposite order.
package app
