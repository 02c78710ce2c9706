# syntax=docker/dockerfile:1
# Two images of one build: `patchtide`, the worker and operator's command line, and `patchtide-lab`, the laboratory with
# the simulated AWS. Both are static programs in an empty image, run as nobody in particular.
ARG GO_VERSION=1.26.8
ARG ALPINE_VERSION=3.24

FROM golang:${GO_VERSION}-alpine${ALPINE_VERSION} AS source
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-trimpath -buildvcs=false"
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# What an empty image lacks: a place for temporary files and one for evidence that our user may write to.
RUN mkdir -p /root-of-image/tmp /root-of-image/var/lib/patchtide && chmod 1777 /root-of-image/tmp && \
    chown 65532:65532 /root-of-image/var/lib/patchtide
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -o /out/probe ./deploy/probe

FROM source AS build-patchtide
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -ldflags "-s -w" -o /out/patchtide ./cmd/patchtide

FROM source AS build-patchtide-lab
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -ldflags "-s -w" -o /out/patchtide-lab ./cmd/patchtide-lab

FROM scratch AS base
COPY --from=source /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=source /root-of-image/ /
COPY --from=source /out/probe /usr/local/bin/probe
ENV PATH=/usr/local/bin HOME=/tmp
WORKDIR /var/lib/patchtide
USER 65532:65532

FROM base AS patchtide-lab
COPY --from=build-patchtide-lab /out/patchtide-lab /usr/local/bin/patchtide-lab
ENTRYPOINT ["patchtide-lab"]
CMD ["aws", "--listen", "0.0.0.0:4566"]

# The last one is what `docker build` makes when nobody names a target.
FROM base AS patchtide
COPY --from=build-patchtide /out/patchtide /usr/local/bin/patchtide
ENTRYPOINT ["patchtide"]
CMD ["worker", "--config", "/etc/patchtide/patchtide.yaml"]
