# Moderator and flagctl on Debian 13, for the CPU. Servers are others' images: give it --nats-url and --database-url.
ARG GO_VERSION=1.26
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-trixie-slim AS onnxruntime
WORKDIR /src
COPY scripts/setup.sh scripts/setup.sh
RUN scripts/setup.sh onnxruntime

FROM golang:${GO_VERSION}-trixie AS build
WORKDIR /src
COPY scripts/image.sh scripts/image.sh
RUN scripts/image.sh build-packages
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
RUN scripts/image.sh binaries /out "${VERSION}" "${COMMIT}"

FROM debian:trixie-slim
COPY scripts/image.sh /tmp/image.sh
RUN /tmp/image.sh runtime-packages && rm /tmp/image.sh
COPY --from=onnxruntime /src/.cache/onnxruntime/libonnxruntime.so.1 /usr/local/lib/
COPY --from=build /out/ /usr/local/bin/
ENV MODERATOR_ONNXRUNTIME_LIB=/usr/local/lib/libonnxruntime.so.1 \
    MODERATOR_DATA_DIR=/var/lib/moderator \
    MODERATOR_HTTP_LISTEN=:8080
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["moderator"]
