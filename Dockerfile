# syntax=docker/dockerfile:1
FROM node:22-bookworm-slim AS build
WORKDIR /srv/partner-idp-kit
# What `npm ci` needs for its postinstall, which generates the Prisma clients: a change elsewhere does not install again.
COPY package.json package-lock.json .npmrc tsconfig.json ./
COPY prisma ./prisma
COPY scripts/generate.ts ./scripts/generate.ts
COPY app/project-root.ts ./app/project-root.ts
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATABASE_URL=file:/var/lib/partner-idp-kit/users.db \
    KEYS_FILE=/var/lib/partner-idp-kit/keys.json \
    SECRETS_FILE=/var/lib/partner-idp-kit/secrets.env
WORKDIR /srv/partner-idp-kit
# The program belongs to root: the process cannot change it, only what is in the volume.
COPY --from=build /srv/partner-idp-kit ./
RUN install -d -o node -g node -m 0700 /var/lib/partner-idp-kit
USER node
VOLUME /var/lib/partner-idp-kit
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No npm in between: it would swallow SIGTERM.
CMD ["node", "--enable-source-maps", "dist/app/server.js"]
