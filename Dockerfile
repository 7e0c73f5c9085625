# Krate as an image: the published app, an unprivileged user, one writable directory.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY . .
RUN dotnet publish Krate.Web -c Release -o /out

FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN apt-get update && apt-get install -y --no-install-recommends git bubblewrap && rm -rf /var/lib/apt/lists/*
COPY --from=build /out /app
RUN install -d -o 65532 -g 65532 -m 0700 /data
ENV Krate__Data=/data \
    ASPNETCORE_HTTP_PORTS= \
    DOTNET_EnableDiagnostics=0
USER 65532:65532
WORKDIR /data
VOLUME /data
# Without a sign-in provider Krate listens on loopback only: run with --network host.
EXPOSE 5080 5443
ENTRYPOINT ["/app/Krate.Web"]
