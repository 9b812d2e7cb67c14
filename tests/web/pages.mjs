/* Every page and every drawer or dialog that covers one; the accessibility test and the pictures go through the same list. */
import { fromUserMenu, settled } from './helper.mjs';

const first = (kind) => async (page) => {
  await page.goto(page.url().split('#')[0] + '#/k/' + kind);
  await settled(page);
  await page.locator('main table a, main .short a').first().click();
  await page.locator('.el-drawer dl.facts').waitFor();
  await settled(page);
};
const csv = { name: 'gates.csv', mimeType: 'text/csv', buffer: Buffer.from('卡点名称,编号,卡点类型,值守电话\n东门,K1,小区门岗,0\n西门,K2,,0\n,K3,小区门岗,0\n') };

export const pages = [
  { name: 'signin', open: { signedIn: false } },
  { name: 'signin-wrong', mockOnly: true, open: { signedIn: false, allow: /401/ }, act: async (page) => {
    await page.fill('#si-login', 'nobody');
    await page.fill('#si-password', 'wrong');
    await page.keyboard.press('Enter');
    await page.locator('.note.red').waitFor();
  } },
  { name: 'welcome', open: { signedIn: false, at: '/welcome/some-token' } },
  { name: 'dashboard', open: {} },
  { name: 'dashboard-table', open: {}, act: async (page) => { await page.getByRole('button', { name: '表', exact: true }).click(); } },
  { name: 'area', open: {}, act: async (page) => { await page.locator('.w-area button').first().click(); await page.locator('.areapick .leaf').first().waitFor(); } },
  { name: 'user-menu', open: {}, act: async (page) => { await page.locator('.top .user').click(); await page.getByRole('menuitem').first().waitFor(); await page.waitForTimeout(400); } },
  { name: 'password', open: {}, act: async (page) => { await fromUserMenu(page, '修改密码'); await page.locator('#p-old').waitFor(); await page.waitForTimeout(500); } },
  { name: 'totp', open: {}, act: async (page) => { await fromUserMenu(page, '两步验证'); await page.locator('svg.qr').waitFor(); await page.waitForTimeout(500); } },
  { name: 'rows', open: {}, act: async (page) => { await page.locator('.fig', { hasText: '累计确诊' }).click(); await page.locator('.el-drawer .short li').first().waitFor(); await page.waitForTimeout(500); } },
  { name: 'list-resident', open: { at: '/k/resident' } },
  { name: 'list-area', open: { at: '/k/area' } },
  { name: 'list-gate_scan', open: { at: '/k/gate_scan' } },
  { name: 'list-empty', open: { at: '/k/assignment' } },
  { name: 'list-nomatch', open: { at: '/k/resident?q=zzzzqqqq' } },
  { name: 'record', open: {}, act: first('resident') },
  { name: 'edit', open: {}, act: async (page) => { await first('resident')(page); await page.getByRole('button', { name: '修改', exact: true }).click(); await page.locator('#f-name').waitFor(); await page.waitForTimeout(300); } },
  { name: 'add-resident', open: { at: '/k/resident/new' }, act: async (page) => { await page.locator('#f-name').waitFor(); await page.waitForTimeout(500); } },
  { name: 'add-errors', open: { at: '/k/triage_visit/new' }, act: async (page) => { await page.locator('.recform button[type=submit]').click(); await page.locator('.field .error').first().waitFor(); await page.waitForTimeout(500); } },
  { name: 'open-sealed', open: {}, act: async (page) => { await first('resident')(page); await page.getByRole('button', { name: '查看加密内容' }).click(); await page.locator('#o-reason').waitFor(); await page.waitForTimeout(500); } },
  { name: 'remove', open: {}, act: async (page) => { await first('household')(page); await page.getByRole('button', { name: '删除', exact: true }).click(); await page.getByText('删除这条记录').waitFor(); await page.waitForTimeout(500); } },
  { name: 'import', open: { at: '/k/gate' }, act: async (page) => { await page.getByRole('button', { name: '导入', exact: true }).click(); await page.setInputFiles('#i-file', csv); await page.locator('.counts').last().waitFor(); await page.waitForTimeout(500); } },
  { name: 'conflict', mockOnly: true, open: { allow: /409/ }, act: async (page, server) => {
    await first('household')(page);
    const id = page.url().split('/').pop();
    await page.getByRole('button', { name: '修改', exact: true }).click();
    await page.fill('#f-door', '9 号楼 901 室');
    await server.mock('edit', { id, data: { door: `${Date.now() % 97} 号楼 302 室`, head: '对方户主' + Date.now() % 97 } });
    await page.locator('.recform button[type=submit]').click();
    await page.getByText('采用对方的').first().waitFor();
    await page.waitForTimeout(500);
  } },
  { name: 'step-assign', open: {}, act: async (page) => { await first('household')(page); await page.getByRole('button', { name: '指定包联责任人' }).click(); await page.locator('#s-member').waitFor(); await page.waitForTimeout(500); } },
  { name: 'step-case', mockOnly: true, open: { at: '/k/case' }, act: async (page) => { await first('case')(page); await page.getByRole('button', { name: '转院', exact: true }).click(); await page.locator('#s-to').waitFor(); await page.waitForTimeout(500); } },
  { name: 'step-close', mockOnly: true, open: { at: '/k/case?q=B' }, act: async (page) => { await first('case')(page); await page.getByRole('button', { name: '确诊', exact: true }).click(); await page.locator('#s-confirmed_at').waitFor(); await page.waitForTimeout(500); } },
  { name: 'list-duplicate', open: { at: '/k/duplicate' } },
  { name: 'list-bulletin', open: { at: '/k/bulletin' } },
  { name: 'twins-records', mockOnly: true, open: {}, act: first('duplicate') },
  { name: 'twins-row', mockOnly: true, open: {}, act: async (page) => {
    await page.goto(page.url().split('#')[0] + '#/k/duplicate');
    await settled(page);
    await page.locator('main table a, main .short a').nth(1).click();
    await page.getByRole('button', { name: '查看新行内容' }).click();
    await page.locator('#o-reason').fill('核对重复登记');
    await page.keyboard.press('Enter');
    await page.locator('.twins', { hasText: '项不同' }).waitFor();
    await page.waitForTimeout(600);
  } },
  { name: 'twins-merge', mockOnly: true, open: {}, act: async (page) => { await first('duplicate')(page); await page.getByRole('button', { name: '合并', exact: true }).click(); await page.locator('#stepform').waitFor(); await page.waitForTimeout(500); } },
  { name: 'user', open: {}, act: first('user') },
  { name: 'sign-in-link', open: {}, act: async (page) => { await first('user')(page); await page.getByRole('button', { name: '发放登录链接' }).click(); await page.getByRole('button', { name: '生成链接' }).click(); await page.locator('#l-address').waitFor(); await page.waitForTimeout(500); } },
  { name: 'coverage', open: { at: '/coverage' } },
  { name: 'proposal', open: { at: '/coverage' }, act: async (page) => { await page.getByRole('button', { name: '计算方案' }).click(); await page.locator('table.ba').waitFor(); await page.locator('table.ba').scrollIntoViewIfNeeded(); } },
  { name: 'bulletin', open: { at: '/bulletin' } },
  { name: 'search', open: { at: '/search?q=%E7%8E%8B' } },
  { name: 'nowhere', open: { at: '/there/is/nothing' } },
];
