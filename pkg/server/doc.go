// Package server is the gateway's HTTP side: one route table, what every request goes
// through on its way to a handler, the handlers, and the one place where an
// error becomes a status and a body.
//
// The table is in routes.go. A handler is a method of App that takes a [call] and
// returns an error: it decodes, authorizes, calls and responds, and never writes an
// error itself. The same handlers serve the binary, the Vercel server and the
// Vercel functions: each file of api/ names its group and hands over to [Serve].
package server
