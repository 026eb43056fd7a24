// Package llmgateway holds the files of the repository that the binary carries
// within it. Only cmd/gateway imports it: on Vercel they come from the CDN.
package llmgateway

import "embed"

// Public is the folder public/.
//
//go:embed public
var Public embed.FS
