// The tests of the image and of what is deployed. A module of its own for its YAML.
module github.com/alicetears/llm-gateway/tests/containers

go 1.26.0

toolchain go1.26.8

require (
	github.com/alicetears/llm-gateway v0.0.0
	github.com/jackc/pgx/v5 v5.12.0
	gopkg.in/yaml.v3 v3.0.1
)

require (
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/rogpeppe/go-internal v1.16.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/alicetears/llm-gateway => ../..
