// Package app puts the parts together: it starts or connects the servers, opens the model, and joins decoder, model and
// library to the consumer. Serve reads from top to bottom in the order in which things start; they stop in the
// opposite order.
package app
