# syntax=docker/dockerfile:1
FROM golang:1.26.8 AS build
ENV CGO_ENABLED=0
WORKDIR /src
# The dependencies are a layer of their own: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -ldflags "-X main.version=$VERSION" -o /out/beluga ./cmd/beluga && mkdir /out/lake

# Certificates, time zones and a user, but no shell. A new volume takes over the owner of the folder it covers,
# so /lake is made here: a lake that only root can write would stop the first run.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/beluga /usr/local/bin/beluga
COPY --from=build --chown=nonroot:nonroot /out/lake /lake
VOLUME /lake
USER nonroot
ENTRYPOINT ["/usr/local/bin/beluga"]
CMD ["--help"]
