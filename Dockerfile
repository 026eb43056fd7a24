# The image is the binary, the certificates of the public authorities, and three folders that belong to
# its user. There is no shell in it; nothing but /data, /secrets and /services need be writable.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X github.com/alicetears/llm-gateway/internal/version.release=$VERSION" -o image/gateway ./cmd/gateway
RUN mkdir -p image/etc/ssl/certs own/data own/secrets own/services && cp /etc/ssl/certs/ca-certificates.crt image/etc/ssl/certs/

FROM scratch
COPY --from=build /src/image/ /
COPY --from=build --chown=65532:65532 /src/own/ /
ENV HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
USER 65532:65532
VOLUME ["/data"]
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["/gateway", "healthcheck"]
ENTRYPOINT ["/gateway"]
CMD ["serve"]
