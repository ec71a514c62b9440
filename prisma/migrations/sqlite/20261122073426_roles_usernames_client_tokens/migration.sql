-- AlterTable
ALTER TABLE "users" ADD COLUMN "username" TEXT;
ALTER TABLE "users" ADD COLUMN "username_key" TEXT;

-- CreateTable
CREATE TABLE "user_roles" (
    "user_uid" INTEGER NOT NULL,
    "role" TEXT NOT NULL,

    PRIMARY KEY ("user_uid", "role"),
    CONSTRAINT "user_roles_user_uid_fkey" FOREIGN KEY ("user_uid") REFERENCES "users" ("uid") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "group_roles" (
    "group_id" INTEGER NOT NULL,
    "role" TEXT NOT NULL,

    PRIMARY KEY ("group_id", "role"),
    CONSTRAINT "group_roles_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "client_tokens" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_uid" INTEGER NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" DATETIME NOT NULL,
    "revoked_at" DATETIME,
    CONSTRAINT "client_tokens_user_uid_fkey" FOREIGN KEY ("user_uid") REFERENCES "users" ("uid") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE INDEX "client_tokens_user_uid_idx" ON "client_tokens"("user_uid");

-- CreateIndex
CREATE INDEX "client_tokens_expires_at_idx" ON "client_tokens"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "users_username_key_key" ON "users"("username_key");
